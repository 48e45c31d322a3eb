import { Resend } from "resend";
import { used } from "../used.js";

export default used(async (env) => {
  const resend = new Resend("re_key", { baseUrl: env.UP });
  const { data, error } = await resend.emails.send({ from: "a@b.c", to: "d@e.f", subject: "x", html: "<b>y</b>", replyTo: "r@e.f" });
  return [data.id, data.sent.reply_to, data.by, error];
}, ["email_1", "r@e.f", "Bearer re_key", null]);
