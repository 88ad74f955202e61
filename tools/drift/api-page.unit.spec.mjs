import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { apiOf, apiPageFindings } from './api-page.mjs';

const api = apiOf({
  contracts: {
    fundingBody: z.strictObject({
      amount: z.string(),
      direction: z.enum(['deposit', 'withdrawal']),
      kind: z.enum(['a', 'b']).optional(),
    }),
    fundingAnswerBody: z.strictObject({ balance: z.string() }),
    BODY_MAX: 1,
    PROBLEMS: { 'invalid-request': { status: 400 }, overloaded: { status: 503 } },
  },
  domain: { REASONS: { held_limit: '', hold_expired: '' } },
  ingress: {
    apiRoutes: () => [
      { path: '/api/v1/accounts/:id/funding', methods: { POST: () => undefined } },
      { path: '/api/v1/payments/:id', methods: { POST: () => undefined } },
    ],
  },
});

const PAGE = `
| operation                            | what it does |
| ------------------------------------ | ------------ |
| [\`POST /api/v1/accounts/{id}/funding\`](#x) | funds        |

### POST /api/v1/accounts/{id}/funding

<!-- body: fundingBody -->

| field       | required | meaning                                |
| ----------- | -------- | -------------------------------------- |
| \`amount\`    | yes      | How much.                              |
| \`direction\` | yes      | \`deposit\` or \`withdrawal\`.             |
| \`kind\`      | no       | \`a\` (default) or \`b\`.                  |

curl -d '{"amount":"1","direction":"deposit"}'

<!-- answer: fundingAnswerBody -->

\`\`\`json
{ "balance": "1.00" }
\`\`\`

| status | answer or codes   |
| ------ | ----------------- |
| 201    | \`done\`            |
| 400    | \`invalid-request\` |
| 503    | \`overloaded\`      |

| reason         | why |
| -------------- | --- |
| \`held_limit\`   | x   |
| \`hold_expired\` | x   |

| operation                    | the same as                            |
| ---------------------------- | -------------------------------------- |
| \`POST /api/v1/payments/{id}\` | \`POST /api/v1/accounts/{id}/funding\` |
`;

/** What is changed in the page, into what, and the findings. */
const CASES = [
  [
    '### POST /api/v1/accounts/{id}/funding',
    '### Funding',
    [
      'operation POST /api/v1/accounts/{id}/funding is not described',
      'operation POST /api/v1/payments/{id} is not described',
    ],
  ],
  [
    /^\| `POST \/api\/v1\/payments.*$/m,
    '',
    ['operation POST /api/v1/payments/{id} is not described'],
  ],
  [
    /^\| \[`POST.*$/m,
    '',
    ['operation POST /api/v1/accounts/{id}/funding is in no list of operations'],
  ],
  [
    'payments/{id}',
    'payment',
    [
      'operation POST /api/v1/payments/{id} is not described',
      'operation POST /api/v1/payment is unknown',
    ],
  ],
  [
    /^(\| operation .*)$/m,
    '| operation | x |\n| --- | --- |\n| `GET /api/v1/x` | y |\n\n$1',
    ['operation GET /api/v1/x is unknown'],
  ],
  ['<!-- body: fundingBody -->', '', ['mark body: fundingBody is missing']],
  [
    '<!-- answer: fundingAnswerBody -->',
    '<!-- answer: other -->',
    ['mark answer: fundingAnswerBody is missing', 'mark answer: other is unknown'],
  ],
  [/^\| `amount`.*\n/m, '', ['fundingBody: field amount is missing']],
  [
    '| `amount`',
    '| `sum`',
    ['fundingBody: field amount is missing', 'fundingBody: field sum is unknown'],
  ],
  [/(`kind` +\| )no/, '$1yes', ['fundingBody: kind: required is yes, not no']],
  [/(`direction` \| )yes/, '$1no', ['fundingBody: direction: required is no, not yes']],
  [' or `withdrawal`', '', ['fundingBody: direction: the value withdrawal is missing']],
  [' or `b`', '', ['fundingBody: kind: the value b is missing']],
  [
    '"balance"',
    '"sum"',
    [
      'fundingAnswerBody: the example is wrong at /balance: Invalid input: expected string, received undefined',
      'fundingAnswerBody: the example is wrong at /: Unrecognized key: "sum"',
    ],
  ],
  ['{ "balance"', '"balance"', ['fundingAnswerBody: the example is not JSON']],
  ['```json', '```', ['fundingAnswerBody has no example']],
  [
    `"direction":"deposit"`,
    '"direction":"in"',
    [
      'fundingBody: the example is wrong at /direction: ' +
        'Invalid option: expected one of "deposit"|"withdrawal"',
    ],
  ],
  [/^\| `hold_expired`.*\n/m, '', ['reason hold_expired is missing']],
  [
    '| `held_limit`',
    '| `too_much`',
    ['reason held_limit is missing', 'reason too_much is unknown'],
  ],
  ['`overloaded`', 'busy', ['problem 503 overloaded is missing']],
  [
    '| 400 ',
    '| 422 ',
    ['problem 400 invalid-request is missing', 'problem 422 invalid-request is unknown'],
  ],
];

describe('the page of the API', () => {
  it('that says what the code knows has no findings', () => {
    expect(apiPageFindings(PAGE, api)).toEqual([]);
  });

  it.each(CASES)('with %s as %j', (what, instead, findings) => {
    const page = PAGE.replace(what, instead);
    expect(page).not.toBe(PAGE);
    expect(apiPageFindings(page, api)).toEqual(findings);
  });
});
