import type { ActionFunctionArgs, LoaderFunctionArgs } from "react-router";

export const loader = ({ request }: LoaderFunctionArgs) => Response.json({ hello: new URL(request.url).searchParams.get("name") });

export const action = async ({ request }: ActionFunctionArgs) => Response.json({ hello: (await request.json()).name });
