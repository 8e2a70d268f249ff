// Bundles the extension into dist, with the licences of what is bundled.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

const { metafile } = await build({
    entryPoints: ['src/extension.ts'],
    outfile: 'dist/extension.js',
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    external: ['vscode'],
    preserveSymlinks: true,
    metafile: true,
});

const packages = Object.keys(metafile.inputs).map((input) => input.match(/^node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0]);
const notices = [...new Set(packages)].filter(Boolean).sort().map(notice);
writeFileSync('dist/NOTICES.txt', notices.join('\n'));

function notice(folder) {
    const { name, version } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
    const licence = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file));
    return `${name} ${version}\n\n${readFileSync(`${folder}/${licence}`, 'utf8')}\n`;
}
