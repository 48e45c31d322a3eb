import EventEmitter from "eventemitter3";
import { used } from "../used.js";

export default used(() => {
  const [emitter, heard] = [new EventEmitter(), []];
  const listener = function (value) { heard.push([this.name, value]); };
  emitter.on("a", listener, { name: "on" }).once("a", listener, { name: "once" });
  const were = [emitter.emit("a", 1), emitter.emit("a", 2), emitter.off("a", listener).emit("a", 3)];
  return [heard, were, emitter.eventNames()];
}, [[["on", 1], ["once", 1], ["on", 2]], [true, true, false], []]);
