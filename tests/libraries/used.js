// Makes a worker of one use of a package: it answers with what came of it, and what should have.

export const used = (use, expected) => ({
  async fetch(request, env, ctx) {
    try {
      return Response.json({ got: await use(env, ctx, request), expected });
    } catch (error) {
      return Response.json({ error: String(error?.stack ?? error), cause: String(error?.cause) });
    }
  },
});

/** Returns the message of the error that an action throws or rejects with. */
export const refusal = async (action) => {
  try {
    await action();
  } catch (error) {
    return error.message;
  }
  return "nothing was thrown";
};
