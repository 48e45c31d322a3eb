// Made at build time.
export default function About() {
  return <p id="about">about this app</p>;
}
