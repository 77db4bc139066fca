// The Node.js SDK `wechatpay-axios-plugin`: as its README says, or with an agent that keeps connections alive.
const https = require("node:https");
const { createInterface } = require("node:readline");
const { performance } = require("node:perf_hooks");
const { Wechatpay } = require("wechatpay-axios-plugin");

const settings = JSON.parse(process.env.BENCHMARK);
const { secret } = settings;
const sdk = new Wechatpay({
  mchid: secret.mchid,
  serial: secret.merchant_serial_no,
  privateKey: secret.merchant_private_key,
  certs: { [secret.wechatpay_public_key_id]: secret.wechatpay_public_key },
  baseURL: settings.host,
  ...(settings.keep_alive ? { httpsAgent: new https.Agent({ keepAlive: true }) } : {}),
});
const answer = (fields) => process.stdout.write(`${JSON.stringify(fields)}\n`);

async function main() {
  answer({ ready: true });
  for await (const line of createInterface({ input: process.stdin })) {
    const milliseconds = [];
    const cpu = process.cpuUsage();
    for (let made = 0; made < JSON.parse(line).calls; made += 1) {
      const started = performance.now();
      const { data } = await sdk.v3.payscore["smartretail-orders"].$out_order_no$.complete.post(settings.body, {
        out_order_no: settings.event.out_order_no,
      });
      milliseconds.push(performance.now() - started);
      if (data.out_order_no !== settings.event.out_order_no) throw new Error("the order was not completed");
    }
    const used = process.cpuUsage(cpu);
    answer({ milliseconds, cpu_ms: (used.user + used.system) / 1000, resident_bytes: process.memoryUsage().rss });
  }
}

main();
