export const actions = {
  default: async ({ request, platform }) => ({ greeting: `${platform.env.GREETING} ${(await request.formData()).get("name")}` }),
};
