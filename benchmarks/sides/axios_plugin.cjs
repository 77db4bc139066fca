// The Node.js SDK `wechatpay-axios-plugin`: as its README says, or with an agent that keeps connections alive.
const https = require("node:https");
const { createInterface } = require("node:readline");
const { performance } = require("node:perf_hooks");
const { Wechatpay } = require("wechatpay-axios-plugin");

const told = JSON.parse(process.env.BENCHMARK);
const held = told.secret;
const sdk = new Wechatpay({
  mchid: held.mchid,
  serial: held.merchant_serial_no,
  privateKey: held.merchant_private_key,
  certs: { [held.wechatpay_public_key_id]: held.wechatpay_public_key },
  baseURL: told.host,
  ...(told.keep_alive ? { httpsAgent: new https.Agent({ keepAlive: true }) } : {}),
});
const answer = (said) => process.stdout.write(`${JSON.stringify(said)}\n`);

async function main() {
  answer({ ready: true });
  for await (const line of createInterface({ input: process.stdin })) {
    const milliseconds = [];
    const cpu = process.cpuUsage();
    for (let made = 0; made < JSON.parse(line).calls; made += 1) {
      const started = performance.now();
      const { data } = await sdk.v3.payscore["smartretail-orders"].$out_order_no$.complete.post(told.body, {
        out_order_no: told.event.out_order_no,
      });
      milliseconds.push(performance.now() - started);
      if (data.out_order_no !== told.event.out_order_no) throw new Error("the order was not completed");
    }
    const used = process.cpuUsage(cpu);
    answer({ milliseconds, cpu_ms: (used.user + used.system) / 1000, resident_bytes: process.memoryUsage().rss });
  }
}

main();
