import { Octokit } from "@octokit/rest";
import { used } from "../used.js";

export default used(async (env) => {
  const octokit = new Octokit({ baseUrl: env.UP, auth: "token", userAgent: "test" });
  const all = await octokit.paginate(octokit.rest.issues.listForRepo, { owner: "a", repo: "b" });
  const missing = await octokit.request("GET /missing").catch((error) => [error.name, error.status]);
  return [all.map((issue) => issue.number), missing];
}, [[1, 2, 3], ["HttpError", 404]]);
