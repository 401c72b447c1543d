// Prints rules that publish a port.   Run: node publish.ts PORT ADDRESS:PORT | nft -f -
const [port = '', target = ''] = process.argv.slice(2);

// TODO: which packets, and where do they go?
void [port, target];

// TODO: which chains do they pass?
console.log(`
table ip exercise {
  chain postrouting {
    type nat hook postrouting priority srcnat;
    ct status dnat masquerade
  }
}`);
