// Puts what is shipped into dist: the extension, the licences of what it bundles, and the server as a wheel.
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync, rmSync, readdirSync, writeFileSync } from 'node:fs';
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

globSync('dist/*.whl').forEach((old) => rmSync(old));
const wheel = ['-m', 'pip', 'wheel', '--quiet', '--no-deps', '--wheel-dir', 'dist', process.env.FIM_LS_CHECKOUT ?? '../..'];
execFileSync(process.env.PYTHON ?? 'python3', wheel, { stdio: 'inherit' });

function notice(folder) {
    const { name, version } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
    const licence = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file));
    return `${name} ${version}\n\n${readFileSync(`${folder}/${licence}`, 'utf8')}\n`;
}
