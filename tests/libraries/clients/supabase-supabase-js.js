import { createClient } from "@supabase/supabase-js";
import { used } from "../used.js";

export default used(async (env) => {
  const supabase = createClient(env.UP, "anon", { auth: { persistSession: false, autoRefreshToken: false } });
  const { data, count } = await supabase.from("books").select("title, year", { count: "exact" }).eq("title", "Dune");
  const { data: signedIn, error } = await supabase.auth.signInWithPassword({ email: "a@b.c", password: "x" });
  return [data, count, signedIn.user?.email, error];
}, [[{ title: "eq.Dune", select: "title,year" }], 1, "a@b.c", null]);
