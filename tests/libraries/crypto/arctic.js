import { decodeIdToken, generateCodeVerifier, generateState, GitHub, Google, OAuth2Client, CodeChallengeMethod } from "arctic";
import { used } from "../used.js";

export default used(async (env) => {
  const google = new Google("app", "hush", "https://app.example/cb").createAuthorizationURL("s", "verifier".repeat(6), ["openid"]);
  const github = new GitHub("app", "hush", null).createAuthorizationURL("s", ["user:email"]);
  const own = new OAuth2Client("app", "hush", "https://app.example/cb");
  const tokens = await own.validateAuthorizationCode(`${env.UP}/token`, "c0de", "verifier");
  const authorize = own.createAuthorizationURLWithPKCE(`${env.UP}/authorize`, "s", CodeChallengeMethod.S256, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", []);
  return [google.searchParams.get("code_challenge_method"), github.searchParams.get("scope"), tokens.accessToken(), authorize.searchParams.get("code_challenge"), generateState().length, generateCodeVerifier().length, decodeIdToken("e30.eyJzdWIiOiJhZGEifQ.x")];
}, ["S256", "user:email", "token for c0de of app", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", 43, 43, { sub: "ada" }]);
