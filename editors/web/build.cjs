/**
 * Builds the page that `fim-ls demo --web` serves: one file, which asks for nothing else.
 *
 *     node build.cjs [OUTPUT]
 */
const esbuild = require("esbuild");
const fs = require("node:fs");
const path = require("node:path");

const SOURCE = path.join(__dirname, "src");
const PAGE = path.join(__dirname, "../../lsp_server/cli/web.html");

/** The licences of all packages that are in the bundle, each text once. */
function licences({ outputs }) {
  const folders = new Set();
  const [{ inputs }] = Object.values(outputs);
  for (const input of Object.keys(inputs)) {
    const found = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path.resolve(__dirname, input));
    if (found) folders.add(found[0]);
  }
  const names = new Map();
  for (const folder of [...folders].sort()) {
    const { name, version } = JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8"));
    const text = fs.readFileSync(path.join(folder, "LICENSE"), "utf8").trim();
    names.set(text, [...(names.get(text) ?? []), `${name} ${version}`]);
  }
  return [...names].map(([text, users]) => `${users.join(", ")}\n\n${text}`).join("\n\n");
}

function build() {
  const { outputFiles, metafile } = esbuild.buildSync({
    absWorkingDir: __dirname,
    entryPoints: [path.join(SOURCE, "main.ts")],
    bundle: true,
    charset: "utf8",
    format: "esm",
    loader: { ".txt": "text" },
    metafile: true,
    minify: true,
    target: "es2022",
    write: false,
  });
  const parts = {
    LICENCES: licences(metafile),
    STYLE: fs.readFileSync(path.join(SOURCE, "page.css"), "utf8").trim(),
    SCRIPT: outputFiles[0].text.trim(),
  };
  const page = fs.readFileSync(path.join(SOURCE, "page.html"), "utf8");
  return page.replace(/^(LICENCES|STYLE|SCRIPT)$/gm, (name) => parts[name]);
}

fs.writeFileSync(process.argv[2] ?? PAGE, build());
