// process and what else tells of a host: here there is none. Unlike the other checks, these do not hold in Node.
import process, { env, nextTick } from "node:process";
import os, { EOL } from "node:os";
import tty from "node:tty";
import nodeConsole, { Console } from "node:console";
import module, { builtinModules, createRequire, isBuiltin } from "node:module";
import { performance, PerformanceObserver } from "node:perf_hooks";
import constants from "node:constants";
import { createPrivateKey } from "node:crypto";
import { PassThrough } from "node:stream";
import { EventEmitter } from "node:events";

export default async function (is, throws) {
  is("the global is this", [globalThis.process === process, global === globalThis, Object.prototype.toString.call(process), nextTick === process.nextTick], [true, true, "[object process]", true]);
  is("env", [env.TEXT, env.NUMBER, env.FLAG, env.LIST, env.MISSING, "TEXT" in env, Object.keys(env).sort(), { ...env }.TEXT], ["hello", "5", "true", '["a",1]', undefined, true, ["FLAG", "LIST", "NODE_ENV", "NUMBER", "TEXT"], "hello"]);
  env.NEW = 5;
  delete env.NUMBER;
  Object.assign(env, { FLAG: false });
  is("env can be changed", [env.NEW, env.NUMBER, env.FLAG, process.env === env, import.meta.env.NEW], ["5", undefined, "false", true, "5"]);
  throws("what is assigned is text", () => { env.SYMBOL = Symbol("x"); }, "TypeError");
  is("import.meta.env", [import.meta.env.TEXT, import.meta.env === env], ["hello", true]);
  is("what it says it is", [process.platform, ["x64", "arm64"].includes(process.arch), /^v\d+\.\d+\.\d+$/.test(process.version), `v${process.versions.node}` === process.version, process.release.name], ["linux", true, true, true, "node"]);
  is("nothing of the host", [process.argv, process.cwd(), process.pid, process.execArgv, process.title, os.hostname(), os.homedir()], [[], "/", 1, [], "node", "localhost", "/"]);
  is("nothing acts on the host", ["abort", "binding", "chdir", "dlopen", "execve", "kill", "reallyExit", "setuid"].filter((name) => { try { process[name]("/"); return true; } catch (error) { return !error.code; } }), []);
  const [seconds, nanoseconds] = process.hrtime();
  const difference = process.hrtime([seconds, nanoseconds]);
  is("clocks", [Number.isInteger(seconds), nanoseconds < 1e9, difference[0] >= 0, difference[1] >= 0, typeof process.hrtime.bigint(), process.uptime() > 0], [true, true, true, true, "bigint", true]);
  is("memoryUsage", Object.values(process.memoryUsage()).every((value) => typeof value === "number"), true);
  is("exit", (() => { try { process.exit(1); } catch (error) { return error.message; } })(), "process.exit() cannot end a worker: it serves other requests; throw an error or return instead");
  const heard = [];
  const listener = (value) => heard.push(value);
  process.on("own", listener).once("own", listener);
  is("an emitter", [process.emit("own", 1), process.emit("own", 2), process.off("own", listener) === process, process.emit("own", 3), heard, process.listenerCount("own")], [true, true, true, false, [1, 1, 2], 0]);
  const warned = new Promise((resolve) => process.once("warning", resolve));
  process.emitWarning("careful", { type: "OwnWarning", code: "OWN001", detail: "more" });
  const warning = await warned;
  is("warnings", [warning.name, warning.code, warning.message, warning.detail], ["OwnWarning", "OWN001", "careful", "more"]);
  throws("a warning is text or an error", () => process.emitWarning(5), "TypeError", "ERR_INVALID_ARG_TYPE");
  process.stdout.write("to stdout, ");
  process.stdout.write(Buffer.from("in parts\nand another line"));
  process.stderr.write("to stderr\n");
  is("streams", [process.stdout.fd, process.stdout.isTTY ?? null, process.stdout.writable, tty.isatty(1)], [1, null, true, false]);
  is("stdin is empty", await process.stdin.toArray(), []);
  is("getBuiltinModule", [process.getBuiltinModule("events") === EventEmitter, process.getBuiltinModule("node:os") === os, typeof process.getBuiltinModule("fs").readFileSync, process.getBuiltinModule("nope") ?? null], [true, true, "function", null]);

  is("what private keys are told", (() => { try { createPrivateKey("x"); } catch (error) { return error.message; } })(), "crypto.createPrivateKey() is not available: crypto.subtle.importKey() takes private keys");
  is("os", [EOL, os.platform(), os.type(), os.endianness(), os.constants.signals.SIGTERM, os.constants.errno.ENOENT], ["\n", "linux", "Linux", "LE", 15, 2]);
  is("constants", [constants.SIGKILL, constants.EACCES, constants.RSA_PKCS1_PADDING], [9, 13, 1]);
  is("module", [isBuiltin("nope"), isBuiltin("node:util"), isBuiltin("path"), builtinModules.includes("util/types"), module.createRequire === createRequire, module.Module === module], [false, true, true, true, true, true]);
  is("perf_hooks", [performance === globalThis.performance, PerformanceObserver === globalThis.PerformanceObserver], [true, true]);
  const sink = new PassThrough();
  new Console(sink).log("%s and %d", "text", 5);
  is("console", [nodeConsole === globalThis.console, String(sink.read()), console.Console === Console], [true, "text and 5\n", true]);
}
