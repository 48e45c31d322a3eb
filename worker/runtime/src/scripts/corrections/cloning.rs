//! Corrections of interfaces that load on first use: `structuredClone()` made an empty object of what it has to refuse.

use super::correction::Correction;

pub(crate) const CLONING: &[Correction] = &[
    Correction {
        script: "ext:deno_web/10_filereader.js",
        why: "a FileReader is not serializable: https://html.spec.whatwg.org/#serializable-objects",
        passage: "return { FileReader };
",
        instead: "core.loadExtScript(\"ext:nano_platform/structured_clone.js\").markNotSerializable(FileReaderPrototype);
return { FileReader };
",
    },
    Correction {
        script: "ext:deno_web/14_compression.js",
        why: "the second part of the one before",
        passage: "return { CompressionStream, DecompressionStream };
",
        instead: "const { markNotSerializable } = core.loadExtScript(\"ext:nano_platform/structured_clone.js\");
markNotSerializable(CompressionStreamPrototype);
markNotSerializable(DecompressionStreamPrototype);
return { CompressionStream, DecompressionStream };
",
    },
];
