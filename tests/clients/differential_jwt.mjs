// What jose makes of tokens. Usage: node differential_jwt.mjs FILE
import { readFileSync } from 'node:fs'
import * as jose from 'jose'

const { issuer, audience, now, leeway, id, keys, tokens } = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const imported = {}
for (const [name, key] of Object.entries(keys)) {
  imported[name] = name.startsWith('HS') ? new TextEncoder().encode(key) : await jose.importSPKI(key, name)
}

// A key for each algorithm, all of one name.
function key({ alg, kid }) {
  if (kid !== undefined && kid !== id) throw new Error('another key')
  return imported[alg]
}

const results = []
for (const token of tokens) {
  try {
    const { payload } = await jose.jwtVerify(token, key, {
      issuer, audience, algorithms: Object.keys(keys), clockTolerance: leeway, currentDate: new Date(now * 1000),
      requiredClaims: ['iss', 'aud', 'sub', 'exp'],
    })
    results.push({ subject: JSON.stringify(payload.sub) })
  } catch (error) {
    results.push({ error: String(error) })
  }
}
console.log(JSON.stringify(results))
