export const load = ({ url }) => ({ visitor: url.searchParams.get("visitor") ?? "everybody" });
