import mail from "@sendgrid/mail";
import { used } from "../used.js";

export default used(async (env) => {
  mail.setApiKey("SG.key");
  mail.client.setDefaultRequest("baseUrl", env.UP);
  const [answer] = await mail.send({ to: "a@b.c", from: "d@e.f", subject: "x", text: "y" });
  const refused = await mail.send({ to: "x@y.z", from: "d@e.f", subject: "x", text: "y" }).catch((error) => error.code);
  return [answer.statusCode, answer.headers["x-message-id"], refused];
}, [202, "sg_1", 400]);
