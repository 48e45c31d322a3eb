import { getIronSession, sealData, unsealData } from "iron-session";
import { used } from "../used.js";

const options = { password: "a password that is long enough for this", cookieName: "session" };

export default used(async () => {
  const response = new Response();
  const session = await getIronSession(new Request("https://a.example"), response, options);
  session.user = "ada";
  await session.save();
  const cookie = response.headers.get("set-cookie");
  const again = await getIronSession(new Request("https://a.example", { headers: { cookie: cookie.split(";")[0] } }), new Response(), options);
  return [again.user, /HttpOnly/i.test(cookie), await unsealData(await sealData({ n: 1 }, options), options), await unsealData("Fe26.2*nonsense", options)];
}, ["ada", true, { n: 1 }, {}]);
