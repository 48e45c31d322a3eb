// Preact rendered on the server.
/** @jsxImportSource preact */
import { createContext } from "preact";
import { useContext, useMemo, useState } from "preact/hooks";
import { renderToString } from "preact-render-to-string";

const Theme = createContext("light");

function Counter({ start }: { start: number }) {
  const [count] = useState(start);
  const double = useMemo(() => count * 2, [count]);
  return <button data-theme={useContext(Theme)} disabled>{count}/{double}</button>;
}

function App() {
  return (
    <Theme.Provider value="dark">
      <>
        <h1 style={{ color: "red" }}>{"<Preact>"}</h1>
        <Counter start={21} />
        <div dangerouslySetInnerHTML={{ __html: "<b>raw</b>" }} />
      </>
    </Theme.Provider>
  );
}

export default {
  fetch: () => new Response(renderToString(<App />), { headers: { "content-type": "text/html" } }),
};
