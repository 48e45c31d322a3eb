import * as client from "openid-client";
import { used } from "../used.js";

export default used(async (env) => {
  const config = await client.discovery(new URL(env.UP), "app", "hush", undefined, { execute: [client.allowInsecureRequests] });
  const url = client.buildAuthorizationUrl(config, { redirect_uri: "https://app.example/cb", scope: "openid", state: "s" });
  const tokens = await client.authorizationCodeGrant(config, new URL("https://app.example/cb?code=c0de&state=s"), { expectedState: "s" });
  return [url.pathname, url.searchParams.get("client_id"), tokens.access_token, tokens.expiresIn() > 3500, await client.authorizationCodeGrant(config, new URL("https://app.example/cb?code=c0de&state=x"), { expectedState: "s" }).catch((error) => error.code)];
}, ["/authorize", "app", "token for c0de of app", true, "OAUTH_INVALID_RESPONSE"]);
