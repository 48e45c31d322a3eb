import nodemailer from "nodemailer";
import { used } from "../used.js";

export default used(async (env) => {
  const mark = crypto.randomUUID();
  const transport = nodemailer.createTransport({ host: "127.0.0.1", port: Number(env.SMTP), secure: false, ignoreTLS: true, auth: { user: "ada", pass: "hush" } });
  const sent = await transport.sendMail({ from: "ada@a.example", to: ["b@b.example", "c@c.example"], subject: `Grüße ${mark}`, text: mark, html: "<b>x</b>", attachments: [{ filename: "a.txt", content: "attached" }] });
  const [mail] = await (await fetch(`${env.UP}/mails?with=${mark}`)).json();
  const refused = await nodemailer.createTransport({ host: "127.0.0.1", port: Number(env.SMTP), ignoreTLS: true, auth: { user: "ada", pass: "no" } }).verify().catch((error) => error.code);
  return [sent.accepted, sent.response.slice(0, 3), mail.startsWith("ada@a.example b@b.example,c@c.example "), mail.includes("multipart/mixed"), mail.includes(btoa("attached")), refused];
}, [["b@b.example", "c@c.example"], "250", true, true, true, "EAUTH"]);
