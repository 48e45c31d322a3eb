import { Form, useActionData, type ActionFunctionArgs } from "react-router";

export async function action({ request, context }: ActionFunctionArgs<{ greeting: string }>) {
  const name = (await request.formData()).get("name");
  return { greeting: `${context.greeting} ${name}` };
}

export default function Greeter() {
  const answer = useActionData<typeof action>();
  return (
    <Form method="post">
      <input id="name" name="name" />
      <button id="send">send</button>
      {answer && <p id="greeting">{answer.greeting}</p>}
    </Form>
  );
}
