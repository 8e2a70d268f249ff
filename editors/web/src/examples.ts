/** The files that are there to begin with, each with a mark where the cursor is. */

import cart from "./examples/cart.js.txt";
import counter from "./examples/counter.rs.txt";
import names from "./examples/names.py.txt";
import shapes from "./examples/shapes.py.txt";
import stack from "./examples/stack.go.txt";

const CURSOR = "‸";

function example(name: string, drawing: string) {
  const cursor = drawing.indexOf(CURSOR);
  return { name, text: drawing.replace(CURSOR, ""), cursor };
}

export const EXAMPLES = [
  example("shapes.py", shapes),
  example("names.py", names),
  example("cart.js", cart),
  example("stack.go", stack),
  example("counter.rs", counter),
];
