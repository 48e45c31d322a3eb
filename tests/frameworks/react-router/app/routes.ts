import { index, route } from "@react-router/dev/routes";

export default [
  index("routes/home.tsx"),
  route("about", "routes/about.tsx"),
  route("form", "routes/form.tsx"),
  route("stream", "routes/stream.tsx"),
  route("api/hello", "routes/hello.ts"),
];
