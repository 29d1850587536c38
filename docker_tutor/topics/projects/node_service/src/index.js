// A small web service: it says how long it has been up, in words that the package `ms` finds.
const http = require("http");
const ms = require("ms");

function about() {
  const uptime = ms(Math.round(process.uptime() * 1000), { long: true });
  return `node ${process.versions.node.split(".")[0]}, mode ${process.env.NODE_ENV}, user ${process.getuid()}, up ${uptime}`;
}

if (process.argv[2] === "about") {
  console.log(about());
} else {
  http.createServer((_request, response) => response.end(about() + "\n")).listen(3000);
}
