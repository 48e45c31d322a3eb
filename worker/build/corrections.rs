//! Corrections of scripts that are not ours, where they break a standard in a function that nothing outside them reaches.
//!
//! What can be corrected from outside is: see `src/ext/js`. Here a few lines of a script's text are replaced before it is
//! evaluated, so that a worker pays nothing for it. The versions of the crates are pinned; with another version in which
//! a passage is no longer there, the build fails and says which, and the correction is to be looked at again.

#[path = "corrections/node.rs"]
pub(crate) mod node;

use std::collections::BTreeSet;
use std::sync::Arc;

use deno_core::{Extension, ExtensionFileSource};

use self::node::NODE;

/// A few lines of a script, and what stands there instead.
pub(crate) struct Correction {
    pub(crate) script: &'static str,
    /// What is wrong, and where the standard says so.
    why: &'static str,
    /// Occurs in the script exactly once.
    passage: &'static str,
    instead: &'static str,
}

/// Those of the scripts that are parts of extensions.
const CORRECTIONS: &[Correction] = &[
    Correction {
        script: "ext:deno_web/06_streams.js",
        why: "pipeTo() wrote during enqueue(): https://streams.spec.whatwg.org/#rs-pipeTo, \"must not be observable\"",
        passage: "      writeChunk(chunk);
      if (pumping) {
        syncAdvance = true;
      } else {
        pump();
      }
",
        instead: "      if (pumping) {
        writeChunk(chunk);
        syncAdvance = true;
      } else {
        uponFulfillment(PromiseResolve(undefined), () => {
          if (writer[_stream] !== undefined) writeChunk(chunk);
          pump();
        });
      }
",
    },
    Correction {
        script: "ext:deno_web/06_streams.js",
        why: "reads were fulfilled, which runs the app's code, while others were still being filled: \
            https://streams.spec.whatwg.org/#readable-byte-stream-controller-process-pull-into-descriptors-using-queue",
        passage: "function readableByteStreamControllerProcessPullIntoDescriptorsUsingQueue(
  controller,
) {
",
        instead: "function readableByteStreamControllerProcessPullIntoDescriptorsUsingQueue(
  controller,
  filled = undefined,
) {
  const done = filled === undefined ? [] : [filled];
  readableByteStreamControllerFillPullIntosUsingQueue(controller, done);
  for (let i = 0; i < done.length; i++) {
    readableByteStreamControllerCommitPullIntoDescriptor(controller[_stream], done[i]);
  }
}
function readableByteStreamControllerFillPullIntosUsingQueue(controller, done) {
",
    },
    Correction {
        script: "ext:deno_web/06_streams.js",
        why: "the second half of the one before",
        passage: "      readableByteStreamControllerShiftPendingPullInto(controller);
      readableByteStreamControllerCommitPullIntoDescriptor(
        controller[_stream],
        pullIntoDescriptor,
      );
",
        instead: "      ArrayPrototypePush(done, readableByteStreamControllerShiftPendingPullInto(controller));
",
    },
    Correction {
        script: "ext:deno_web/06_streams.js",
        why: "the read that respond() completes belongs to those that are fulfilled when all are filled: \
            https://streams.spec.whatwg.org/#readable-byte-stream-controller-respond-in-readable-state",
        passage: "  readableByteStreamControllerCommitPullIntoDescriptor(
    controller[_stream],
    pullIntoDescriptor,
  );
  readableByteStreamControllerProcessPullIntoDescriptorsUsingQueue(
    controller,
  );
",
        instead: "  readableByteStreamControllerProcessPullIntoDescriptorsUsingQueue(controller, pullIntoDescriptor);
",
    },
    Correction {
        script: "ext:deno_web/06_streams.js",
        why: "cancel() of a transformer was over before the writable side had started, which hid that it had errored \
            the stream: https://streams.spec.whatwg.org/#transform-stream-default-source-cancel",
        passage: "    cancelAlgorithm = (reason) =>
      webidl.invokeCallbackFunction(
        transformerDict.cancel,
        [reason],
        transformer,
        webidl.converters[\"Promise<undefined>\"],
        \"Failed to execute 'cancelAlgorithm' on 'TransformStreamDefaultController'\",
        true,
      );
",
        instead: "    cancelAlgorithm = (reason) => {
      const cancelled = webidl.invokeCallbackFunction(
        transformerDict.cancel,
        [reason],
        transformer,
        webidl.converters[\"Promise<undefined>\"],
        \"Failed to execute 'cancelAlgorithm' on 'TransformStreamDefaultController'\",
        true,
      );
      return new Promise((resolve) => resolve(cancelled));
    };
",
    },
    Correction {
        script: "ext:deno_web/06_streams.js",
        why: "a property of Object.prototype named like a member of a source took part in making body streams: \
            https://fetch.spec.whatwg.org/#http-network-fetch makes them without any object of the app's",
        passage: "    type: \"bytes\",
    async pull(controller) {
      const v = controller.byobRequest.view;
      try {
        if (controller[_readAll] === true) {
",
        instead: "    __proto__: null,
    type: \"bytes\",
    async pull(controller) {
      const v = controller.byobRequest.view;
      try {
        if (controller[_readAll] === true) {
",
    },
    Correction {
        script: "ext:deno_web/06_streams.js",
        why: "reading a body looked for `then` on its bytes, which Object.prototype may have: \
            https://streams.spec.whatwg.org/#read-loop hands them on without a promise",
        passage: "async function readableStreamCollectIntoUint8Array(stream) {
",
        instead: "async function readableStreamCollectIntoUint8Array(stream) {
  return (await readableStreamCollect(stream)).body;
}
async function readableStreamCollect(stream) {
",
    },
    Correction {
        script: "ext:deno_web/06_streams.js",
        why: "the second part of the one before",
        passage: "      readableStreamClose(stream);
      return buf;
",
        instead: "      readableStreamClose(stream);
      return { __proto__: null, body: buf };
",
    },
    Correction {
        script: "ext:deno_web/06_streams.js",
        why: "the third part of the one before",
        passage: "  return finalBuffer;
",
        instead: "  return { __proto__: null, body: finalBuffer };
",
    },
    Correction {
        script: "ext:deno_web/06_streams.js",
        why: "the fourth part of the one before",
        passage: "  readableStreamCollectIntoUint8Array,
",
        instead: "  readableStreamCollect,
  readableStreamCollectIntoUint8Array,
",
    },
    Correction {
        script: "ext:deno_fetch/22_body.js",
        why: "the fifth part of the one before",
        passage: "      ? await object[bodySymbol].consume()
",
        instead: "      ? (await object[bodySymbol].consumeUnseen()).body
",
    },
    Correction {
        script: "ext:deno_web/06_streams.js",
        why: "text in a stream that leaves is sent as UTF-8, and what is neither is refused in words, as on Workers",
        passage: "  // Empty Uint8Array chunk. Re-read.
",
        instead: "  if (TypedArrayPrototypeGetSymbolToStringTag(chunk) !== \"Uint8Array\") {
    const { bytesOrText } = core.loadExtScript(\"ext:nano_worker/workers/bytes.js\");
    chunk = bytesOrText(chunk, \"a chunk of the stream\");
  }
  // Empty Uint8Array chunk. Re-read.
",
    },
    Correction {
        script: "ext:deno_web/06_streams.js",
        why: "the message did not say what to do",
        passage: "            \"Cannot convert value to Uint8Array while consuming the stream\",
",
        instead: "            \"a chunk of the stream is not a Uint8Array; a stream of text is read through its own reader, or piped \\
through TextEncoderStream before\",
",
    },
    Correction {
        script: "ext:deno_fetch/22_body.js",
        why: "the type of a body's blob was lower-cased whole: https://fetch.spec.whatwg.org/#dom-body-blob",
        passage: "      return new Blob([bytes], {
        type: mimeType !== null ? mimesniff.serializeMimeType(mimeType) : \"\",
      });
",
        instead: "      return mimesniff.typed(new Blob([bytes]), mimeType);
",
    },
    Correction {
        script: "ext:deno_fetch/20_headers.js",
        why: "iterating joined an empty value and the next one without a comma, unlike get(): \
            https://fetch.spec.whatwg.org/#concept-header-list-sort-and-combine",
        passage: "          entries[seenHeaderIndex][1] = entryValue.length > 0
            ? entryValue + \"\\x2C\\x20\" + value
            : value;
",
        instead: "          entries[seenHeaderIndex][1] = entryValue + \"\\x2C\\x20\" + value;
",
    },
    Correction {
        script: "ext:deno_fetch/26_fetch.js",
        why: "the source of a request's body was cancelled for another reason than the abort's: \
            https://fetch.spec.whatwg.org/#abort-fetch",
        passage: "    if (!request.body.streamOrStatic.locked) {
      request.body.cancel(error);
    }
",
        instead: "    if (!request.body.streamOrStatic.locked) {
      request.body.cancel(error);
    } else {
      const { readableStreamCancel } = core.loadExtScript(\"ext:deno_web/06_streams.js\");
      PromisePrototypeCatch(readableStreamCancel(request.body.streamOrStatic, error), () => {});
    }
",
    },
    Correction {
        script: "ext:deno_fetch/26_fetch.js",
        why: "a body that was here already lost its length once somebody had touched its stream, see `body_streams.js`",
        passage: "    const body = stream.body;

    if (TypedArrayPrototypeGetSymbolToStringTag(body)",
        instead: "    const body = req.body.takeSent();

    if (TypedArrayPrototypeGetSymbolToStringTag(body)",
    },
    Correction {
        script: "ext:deno_fetch/26_fetch.js",
        why: "the body of a request that was sent did not count as used, nor was it locked: \
            https://fetch.spec.whatwg.org/#incrementally-read-loop reads it through a reader",
        passage: "      const resourceBacking = getReadableStreamResourceBacking(stream);
      if (resourceBacking) {
        reqRid = resourceBacking.rid;
      } else {
        reqRid = resourceForReadableStream(stream, req.body.length);
      }
",
        instead: "      reqRid = req.body.openSent();
",
    },
    Correction {
        script: "ext:deno_fetch/26_fetch.js",
        why: "a redirect to nowhere is the response, whose body was lost: https://fetch.spec.whatwg.org/#http-redirect-fetch",
        passage: "      case \"follow\":
        core.close(resp.responseRid);
",
        instead: "      case \"follow\":
        if (
          !primordials.ArrayPrototypeSome(
            resp.headers,
            (entry) => byteLowerCase(entry[0]) === \"location\",
          )
        ) break;
        core.close(resp.responseRid);
",
    },
    Correction {
        script: "ext:deno_fetch/23_request.js",
        why: "a request that came as GET with a body could not be sent on, which Workers do; to make one is an error as before",
        passage: "      ((init.body !== undefined && init.body !== null) ||
        inputBody !== null)
    ) {
",
        instead: "      ((init.body !== undefined && init.body !== null && !init.isOfRequest) ||
        inputBody !== null && input.method !== request.method)
    ) {
",
    },
    Correction {
        script: "ext:deno_fetch/26_fetch.js",
        why: "an abort did not reach a body that an op had taken, to pass it on: \
            https://fetch.spec.whatwg.org/#abort-fetch",
        passage: "    core.tryClose(responseBodyRid);
",
        instead: "    core.tryClose(responseBodyRid);
    core.ops.op_fetch_abort(responseBodyRid);
",
    },
    Correction {
        script: "ext:deno_fetch/26_fetch.js",
        why: "a Location beyond ASCII was taken for Latin-1 and encoded once more, where browsers keep its bytes: \
            https://github.com/whatwg/fetch/issues/883",
        passage: "  const locationURL = new URL(
    locationHeaders[0][1],
",
        instead: "  const characters = primordials.StringPrototypeSplit(locationHeaders[0][1], \"\");
  for (let i = 0; i < characters.length; i++) {
    const byte = primordials.StringPrototypeCharCodeAt(characters[i], 0);
    if (byte > 0x7f) {
      characters[i] = `%${primordials.StringPrototypeToUpperCase(primordials.NumberPrototypeToString(byte, 16))}`;
    }
  }
  const locationURL = new URL(
    primordials.ArrayPrototypeJoin(characters, \"\"),
",
    },
    Correction {
        script: "ext:deno_fetch/23_response.js",
        why: "a response with status 101 is for a WebSocket that it carries: \
            https://fetch.spec.whatwg.org/#initialize-a-response",
        passage: "  if ((init.status < 200 || init.status > 599) && init.status != 101) {
    throw new RangeError(
      `The status provided (${init.status}) is not equal to 101 and outside the range [200, 599]`,
",
        instead: "  if (init.status < 200 || init.status > 599) {
    throw new RangeError(
      `The status provided (${init.status}) is outside the range [200, 599]`,
",
    },
    Correction {
        script: "ext:deno_fetch/23_request.js",
        why: "what Workers tell of a request beside its head, see `request_init.js`",
        passage: "  if (request.cacheMode !== undefined) cloned.cacheMode = request.cacheMode;
",
        instead: "  if (request.copyCf !== undefined) cloned.cf = request.copyCf();
  else if (request.cf !== undefined) cloned.cf = primordials.JSONParse(primordials.JSONStringify(request.cf));
  if (request.cacheMode !== undefined) cloned.cacheMode = request.cacheMode;
",
    },
    Correction {
        script: "ext:deno_fetch/23_request.js",
        why: "the second part of the one before",
        passage: "    // 25.
    if (init.method !== undefined) {
",
        instead: "    if (init.cf !== undefined) request.cf = init.cf;
    // 25.
    if (init.method !== undefined) {
",
    },
    Correction {
        script: "ext:deno_fetch/23_response.js",
        why: "`encodeBody` of an init, which a Response as init passes on, as on Workers",
        passage: "      return { status: 200, statusText: \"\", headers: undefined };
    }
",
        instead: "      return { status: 200, statusText: \"\", headers: undefined };
    }
    // A name that is not the standard's. Only an app that wants to encode by itself has it.
    const encodeBody = init[_response] !== undefined
      ? (init[_response].isManual ? \"manual\" : undefined)
      : init.encodeBody;
    if (encodeBody !== undefined && encodeBody !== \"automatic\" && encodeBody !== \"manual\") {
      throw new TypeError(
        `${prefix}: \'encodeBody\' of \'ResponseInit\' (${context}) is not one of \"automatic\" and \"manual\"`,
      );
    }
    const isManual = encodeBody === \"manual\";
",
    },
    Correction {
        script: "ext:deno_fetch/23_response.js",
        why: "the second part of the one before",
        passage: "      return { status, statusText, headers: init.headers };
    }
    // Slow default path
    return webidlConvertersResponseInit(init, prefix, context, opts);
",
        instead: "      return { status, statusText, headers: init.headers, isManual };
    }
    // Slow default path
    return { ...webidlConvertersResponseInit(init, prefix, context, opts), isManual };
",
    },
    Correction {
        script: "ext:deno_fetch/23_response.js",
        why: "the third part of the one before",
        passage: "      init = webidlConvertersResponseInitFast(init, prefix, \"Argument 2\");
    }

    this[_brand] = _brand;
    initializeResponseBase(this, newInnerResponse(), \"response\");
",
        instead: "      init = webidlConvertersResponseInitFast(init, prefix, \"Argument 2\");
    }

    this[_brand] = _brand;
    initializeResponseBase(this, newInnerResponse(), \"response\");
    if (!defaultInit && init.isManual) this[_response].isManual = true;
",
    },
    Correction {
        script: "ext:deno_fetch/23_response.js",
        why: "the fourth part of the one before",
        passage: "    if (tryInitializeStaticResponseFast(response, init, res)) {
",
        instead: "    if (init.isManual) response[_response].isManual = true;
    if (tryInitializeStaticResponseFast(response, init, res)) {
",
    },
    Correction {
        script: "ext:deno_fetch/23_response.js",
        why: "the fifth part of the one before",
        passage: "    bodyDecoded: response.bodyDecoded,
",
        instead: "    bodyDecoded: response.bodyDecoded,
    isManual: response.isManual,
",
    },
    Correction {
        script: "ext:deno_fetch/23_response.js",
        why: "an empty body is none where a status has none, as on Workers: it is what the text of such a response is",
        passage: "    if (nullBodyStatus(response[_response].status)) {
      throw new TypeError(
",
        instead: "    if (nullBodyStatus(response[_response].status)) {
      const { body } = bodyWithType.body.streamOrStatic;
      if (body === \"\" || TypedArrayPrototypeGetSymbolToStringTag(body) === \"Uint8Array\" && body.byteLength === 0) {
        return;
      }
      throw new TypeError(
",
    },
    Correction {
        script: "ext:deno_crypto/00_crypto.js",
        why: "statics of CryptoKey gave apps the bytes of keys that are not extractable",
        passage: "const CryptoKeyPrototype = CryptoKey.prototype;
",
        instead: "const CryptoKeyPrototype = CryptoKey.prototype;
const { exportNodeMaterial, fromCloneData, importSync } = CryptoKey;
delete CryptoKey.exportNodeMaterial;
delete CryptoKey.fromCloneData;
delete CryptoKey.importSync;
",
    },
    Correction {
        script: "ext:deno_crypto/00_crypto.js",
        why: "the second part of the one before",
        passage: "  (data) => CryptoKey.fromCloneData(data),
",
        instead: "  fromCloneData,
",
    },
    Correction {
        script: "ext:deno_crypto/00_crypto.js",
        why: "the third part of the one before",
        passage: "  return CryptoKey.exportNodeMaterial(cryptoKey);
",
        instead: "  return exportNodeMaterial(cryptoKey);
",
    },
    Correction {
        script: "ext:deno_crypto/00_crypto.js",
        why: "the fourth part of the one before",
        passage: "  return CryptoKey.importSync(format, keyData, algorithm, extractable, usages);
",
        instead: "  return importSync(format, keyData, algorithm, extractable, usages);
",
    },
];

/// A script with its corrections.
pub(crate) fn correct(specifier: &str, source: &str) -> String {
    let mut source = source.to_owned();
    for Correction { script, why, passage, instead } in CORRECTIONS.iter().chain(NODE) {
        if script == &specifier {
            let found = source.matches(passage).count();
            assert_eq!(
                found, 1,
                "{script} has changed where it is corrected; look whether it still is wrong: {why}"
            );
            source = source.replace(passage, instead);
        }
    }
    source
}

/// Applies every correction of the extensions.
pub(crate) fn apply(extensions: &mut [Extension]) {
    let scripts: BTreeSet<_> = CORRECTIONS.iter().map(|correction| correction.script).collect();
    for script in scripts {
        let file = extensions
            .iter_mut()
            .flat_map(|extension| extension.lazy_loaded_js_files.to_mut())
            .find(|file| file.specifier == script)
            .unwrap_or_else(|| panic!("{script}, which is to be corrected, is gone"));
        let source = file.load().expect("extension source");
        let corrected: Arc<str> = correct(script, source.as_str()).into();
        *file = ExtensionFileSource::new_computed(file.specifier, corrected);
    }
}
