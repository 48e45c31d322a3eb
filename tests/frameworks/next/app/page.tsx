import Link from "next/link";
import { Counter } from "./counter";

export default async function Home({ searchParams }: { searchParams: Promise<{ visitor?: string }> }) {
  const { visitor = "everybody" } = await searchParams;
  return (
    <>
      <h1>Next</h1>
      <p id="visitor">made for {visitor}</p>
      <Counter />
      <Link href="/about">about</Link>
    </>
  );
}
