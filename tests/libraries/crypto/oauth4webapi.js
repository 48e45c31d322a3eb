import * as oauth from "oauth4webapi";
import { used } from "../used.js";

export default used(async (env) => {
  const issuer = new URL(env.UP);
  const insecure = { [oauth.allowInsecureRequests]: true };
  const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
  const client = { client_id: "app" };
  const verifier = oauth.generateRandomCodeVerifier();
  const back = oauth.validateAuthResponse(server, client, new URL("https://app.example/cb?code=c0de&state=s"), "s");
  const answer = await oauth.authorizationCodeGrantRequest(server, client, oauth.ClientSecretPost("hush"), back, "https://app.example/cb", verifier, insecure);
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, answer);
  return [tokens.access_token, tokens.token_type, verifier.length, (await oauth.calculatePKCECodeChallenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"))];
}, ["token for c0de of app", "bearer", 43, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"]);
