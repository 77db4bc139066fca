// Runs wechatpay-axios-plugin for test_axios_plugin.py: a list of operations comes as JSON on standard input,
// the list of their results goes as JSON to standard output. NODE_PATH says where the plugin is installed.
const { readFileSync } = require('node:fs');
const { Aes, Formatter, Rsa, Wechatpay } = require('wechatpay-axios-plugin');

const key = (pem, type) => Rsa.from(pem, type);

const operations = {
  async call({ baseURL, mchid, serial, privateKey, certs, method, path, body, params }) {
    const client = new Wechatpay({ baseURL, mchid, serial, privateKey, certs, proxy: false, timeout: 10000 });
    try {
      const config = params ? { params } : {};
      const { status, data } = await client.client.request(path, method, body, config);
      return { status, data };
    } catch (error) {
      return { failed: error.code, status: error.response?.status, data: error.response?.data };
    }
  },
  async sign({ message, privateKey }) {
    return Rsa.sign(message, key(privateKey, Rsa.KEY_TYPE_PRIVATE));
  },
  async verify({ message, signature, publicKey }) {
    return Rsa.verify(message, signature, key(publicKey, Rsa.KEY_TYPE_PUBLIC));
  },
  async message({ method, target, timestamp, nonce, body }) {
    return Formatter.request(method, target, timestamp, nonce, body);
  },
  async decrypt({ ciphertext, apiV3Key, nonce, associatedData }) {
    return Aes.AesGcm.decrypt(ciphertext, apiV3Key, nonce, associatedData);
  },
};

(async () => {
  const results = [];
  for (const { operation, ...given } of JSON.parse(readFileSync(0, 'utf8'))) {
    results.push(await operations[operation](given));
  }
  process.stdout.write(JSON.stringify(results));
})();
