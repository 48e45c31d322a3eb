import { PDFDocument, rgb, StandardFonts } from "pdf-lib";
import { used } from "../used.js";

export default used(async () => {
  const made = await PDFDocument.create();
  const font = await made.embedFont(StandardFonts.Helvetica);
  made.addPage([200, 100]).drawText("Hello", { x: 10, y: 50, size: 12, font, color: rgb(1, 0, 0) });
  made.setTitle("A title");
  const bytes = await made.save();
  const read = await PDFDocument.load(bytes);
  return [new TextDecoder().decode(bytes.subarray(0, 5)), read.getPageCount(), read.getPage(0).getSize(), read.getTitle(), font.widthOfTextAtSize("Hello", 12).toFixed(3)];
}, ["%PDF-", 1, { width: 200, height: 100 }, "A title", "27.336"]);
