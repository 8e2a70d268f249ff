/** esbuild puts these files in as they are. */
declare module "*.txt" {
  const text: string;
  export default text;
}
