// Prints rules that publish a port.   Run: node publish.ts PORT ADDRESS:PORT | nft -f -
const [port = '', target = ''] = process.argv.slice(2);

// TODO: which packets, and where to?
void [port, target];

// TODO: which chains do they come by?
console.log(`
table ip exercise {
  chain postrouting {
    type nat hook postrouting priority srcnat;
    ct status dnat masquerade
  }
}`);
