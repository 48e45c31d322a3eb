import { json } from "@sveltejs/kit";

export const GET = ({ url }) => json({ hello: url.searchParams.get("name") });

export const POST = async ({ request }) => json({ hello: (await request.json()).name });
