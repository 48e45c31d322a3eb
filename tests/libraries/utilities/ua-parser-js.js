import { UAParser } from "ua-parser-js";
import { used } from "../used.js";

export default used(() => {
  const { browser, os, device } = UAParser("Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1");
  return [browser.name, browser.major, os.name, os.version, device.type, device.vendor];
}, ["Mobile Safari", "17", "iOS", "17.4", "mobile", "Apple"]);
