// Asks, and shows the answer.   Run: node chapters/17-registry/step-1.ts URL
const response = await fetch(process.argv[2]!, { headers: { Accept: '*/*' } });
console.log(response.status);
for (const name of ['content-type', 'www-authenticate']) {
  if (response.headers.has(name)) console.log(`${name}: ${response.headers.get(name)}`);
}
console.log(await response.text());
