import type { APIRoute } from "astro";

export const GET: APIRoute = ({ url }) => Response.json({ hello: url.searchParams.get("name") });

export const POST: APIRoute = async ({ request }) => Response.json({ hello: (await request.json()).name });
