import type { NextRequest } from "next/server";

export const GET = (request: NextRequest) => Response.json({ hello: request.nextUrl.searchParams.get("name") });

export const POST = async (request: NextRequest) => Response.json({ hello: (await request.json()).name });
