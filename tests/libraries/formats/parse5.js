import { parse, parseFragment, serialize } from "parse5";
import { used } from "../used.js";

export default used(() => {
  const errors = [];
  const page = parse("<!doctype html><p>a<p>b<table><b>c", { onParseError: (error) => errors.push(error.code) });
  return [serialize(page), parseFragment("<td>x</td>").childNodes.length, errors];
}, ["<!DOCTYPE html><html><head></head><body><p>a</p><p>b</p><b>c</b><table></table></body></html>", 1, []]);
