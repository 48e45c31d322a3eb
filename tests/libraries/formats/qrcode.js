import QRCode from "qrcode";
import { used } from "../used.js";

export default used(async () => {
  const svg = await QRCode.toString("hello", { type: "svg", margin: 0 });
  const { modules, version } = QRCode.create("hello", { errorCorrectionLevel: "H" });
  return [svg.startsWith("<svg") && svg.includes("viewBox"), version, modules.size];
}, [true, 1, 21]);
