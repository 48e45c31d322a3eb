//! Corrections of the streams, where they depart from their standard.

use super::correction::Correction;

pub(crate) const STREAMS: &[Correction] = &[
    Correction {
        script: "ext:deno_web/06_streams.js",
        why: "a stream that compresses takes what is written before there is a reader, as on Workers; a pipe waits",
        passage: "const _isIdentityTransform = Symbol(\"[[isIdentityTransform]]\");
",
        instead: "const _isIdentityTransform = Symbol(\"[[isIdentityTransform]]\");
const _takesAll = Symbol(\"[takesAll]\");
const _isPipe = Symbol(\"[isPipe]\");
// What may wait to be read before a pipe pauses, or a writer once there is a reader: a slow one must not fill the memory.
const UNREAD = { __proto__: null, highWaterMark: 65536, size: TypedArrayPrototypeGetByteLength };
function AcceptingTransformStream(transformer) {
  const stream = new TransformStream(transformer, undefined, UNREAD);
  stream[_takesAll] = true;
  return stream;
}
const isPiped = (stream) => stream[_writer]?.[_isPipe] === true;
",
    },
    Correction {
        script: "ext:deno_web/06_streams.js",
        why: "the second part of the one before",
        passage: "  const writer = acquireWritableStreamDefaultWriter(dest);
  source[_disturbed] = true;
  let shuttingDown = false;
",
        instead: "  const writer = acquireWritableStreamDefaultWriter(dest);
  writer[_isPipe] = true;
  source[_disturbed] = true;
  let shuttingDown = false;
",
    },
    Correction {
        script: "ext:deno_web/06_streams.js",
        why: "the third part of the one before",
        passage: "  if (stream[_backpressure] === true) {
    const backpressureChangePromise = stream[_backpressureChangePromise];
",
        instead: "  if (
    stream[_backpressure] === true &&
    (stream[_takesAll] !== true || isPiped(stream[_writable]) || isReadableStreamLocked(stream[_readable]))
  ) {
    const backpressureChangePromise = stream[_backpressureChangePromise];
",
    },
    Correction {
        script: "ext:deno_web/06_streams.js",
        why: "the fourth part of the one before",
        passage: "  // Exposed in global runtime scope
  acquireReadableStreamDefaultReader,
",
        instead: "  AcceptingTransformStream,
  isPiped,
  // Exposed in global runtime scope
  acquireReadableStreamDefaultReader,
",
    },
    Correction {
        script: "ext:deno_web/14_compression.js",
        why: "the fifth part of the one before",
        passage: "const { TransformStream } = core.loadExtScript(\"ext:deno_web/06_streams.js\");
",
        instead: "const { AcceptingTransformStream: TransformStream } = core.loadExtScript(
  \"ext:deno_web/06_streams.js\",
);
",
    },
    Correction {
        script: "ext:deno_web/06_streams.js",
        why: "HTMLRewriter begins before anybody reads, as on Workers: a high water mark for a stream of bytes",
        passage: "  cancelAlgorithm,
) {
  const stream = new ReadableStream(_brand);
  initializeReadableStream(stream);
  const controller = new ReadableByteStreamController(_brand);
",
        instead: "  cancelAlgorithm,
  highWaterMark = 0,
) {
  const stream = new ReadableStream(_brand);
  initializeReadableStream(stream);
  const controller = new ReadableByteStreamController(_brand);
",
    },
    Correction {
        script: "ext:deno_web/06_streams.js",
        why: "the second part of the one before",
        passage: "    cancelAlgorithm,
    0,
    undefined,
  );
  return stream;
",
        instead: "    cancelAlgorithm,
    highWaterMark,
    undefined,
  );
  return stream;
",
    },
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
        script: "ext:deno_web/06_streams.js",
        why: "text in a stream that leaves is sent as UTF-8, and what is neither is refused in words, as on Workers",
        passage: "  // Empty Uint8Array chunk. Re-read.
",
        instead: "  if (TypedArrayPrototypeGetSymbolToStringTag(chunk) !== \"Uint8Array\") {
    const { bytesOrText } = core.loadExtScript(\"ext:nano_workers/bytes.js\");
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
];
