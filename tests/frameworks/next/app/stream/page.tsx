import { Suspense } from "react";

async function Late({ gate }: { gate: string }) {
  return <p>{await (await fetch(gate, { cache: "no-store" })).text()}</p>;
}

export default async function Stream({ searchParams }: { searchParams: Promise<{ gate: string }> }) {
  const { gate } = await searchParams;
  return (
    <Suspense fallback={<p>waiting</p>}>
      <Late gate={gate} />
    </Suspense>
  );
}
