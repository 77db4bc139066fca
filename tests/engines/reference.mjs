// Evaluates what comes as JSON on standard input, [{expression, bindings}], by the reference implementation of
// JSONata, whose module is the argument: [{value} or {error} or {} for undefined].
import { readFileSync } from "node:fs";

const jsonata = (await import(process.argv[2])).default;
const found = [];
for (const { expression, bindings } of JSON.parse(readFileSync(0, "utf8"))) {
  try {
    const value = await jsonata(expression).evaluate(undefined, bindings);
    found.push(value === undefined ? {} : { value });
  } catch (error) {
    found.push({ error: error.code });
  }
}
process.stdout.write(JSON.stringify(found));
