export function greet(name: string, greeting: string = "Hello"): string {
  return `${greeting}, ${name}!`;
}
