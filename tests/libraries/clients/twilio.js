import twilio from "twilio";
import { used } from "../used.js";

export default used(async (env) => {
  class Redirected extends twilio.RequestClient {
    request(options) {
      return super.request({ ...options, uri: options.uri.replace("https://api.twilio.com", env.UP) });
    }
  }
  const client = twilio("AC1", "token", { httpClient: new Redirected() });
  const { sid, status, body } = await client.messages.create({ to: "+1", from: "+2", body: "hello" });
  const voice = new twilio.twiml.VoiceResponse();
  voice.say({ voice: "alice" }, "hello");
  const [url, params] = ["https://a.example/hook", { a: "1" }];
  return [sid, status, body, voice.toString(), twilio.validateRequest("token", twilio.getExpectedTwilioSignature("token", url, params), url, params)];
}, ["SM1", "queued", "hello", '<?xml version="1.0" encoding="UTF-8"?><Response><Say voice="alice">hello</Say></Response>', true]);
