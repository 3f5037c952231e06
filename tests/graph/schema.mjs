// Prints the JSON Schema of each body in requests.ts: {step: schema}.
import { fileURLToPath } from "node:url";
import { createGenerator } from "ts-json-schema-generator";

const made = createGenerator({
  path: fileURLToPath(new URL("requests.ts", import.meta.url)),
  type: "Requests",
  skipTypeCheck: true,
  additionalProperties: false,
  expose: "none",
}).createSchema("Requests");

const definitions = made.definitions;
const steps = Object.entries(definitions.Requests.properties);
process.stdout.write(JSON.stringify(Object.fromEntries(steps.map(([step, schema]) => [step, { ...schema, definitions }]))));
