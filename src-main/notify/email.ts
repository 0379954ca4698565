/**
 * E-mail, handed to a mail server (RFC 5321) over one connection for each letter. Sent is what the server has acknowledged after the
 * data; a connection that is cut or hangs before that leaves it unsent, and it is sent again under the same Message-ID (at least once).
 */
import type { NodemailerError } from 'nodemailer/lib/errors';
import MailComposer from 'nodemailer/lib/mail-composer';
import SMTPConnection, { type SMTPConnectionSendInfo } from 'nodemailer/lib/smtp-connection';
import { sentenceOf } from '../contract/errors.ts';
import type { Channel, Letter, SendEnd } from './channel.ts';
import { subjectOf, textOf } from './letter.ts';
import { gravest } from './policy.ts';

export interface EmailOptions {
  host: string;
  port: number;
  security: 'starttls' | 'tls' | 'none';
  user: string | null;
  /** of the user; throws with a sentence where it cannot be read */
  password: (() => string) | null;
  from: string;
  to: readonly string[];
  timeoutMs: number;
  /** trusted authorities (PEM) instead of the built-in ones */
  ca?: string;
}

const day = 24 * 3600_000;

export class Email implements Channel {
  readonly name = 'email';
  readonly maxAgeMs = day;
  readonly timeoutMs: number;
  readonly target: string;
  readonly #o: EmailOptions;
  readonly #server: string;

  constructor(options: EmailOptions) {
    const { host, port, to, timeoutMs } = options;
    this.#o = options;
    this.timeoutMs = timeoutMs;
    this.#server = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    const [first = '', ...others] = to;
    this.target = `${first}${others.length === 0 ? '' : ` and ${others.length} more`} by ${this.#server}`;
  }

  async send(
    letter: Letter,
    { signal, reached }: { signal: AbortSignal; reached: readonly string[] },
  ): Promise<SendEnd> {
    const to = this.#o.to.filter((one) => !reached.includes(one));
    if (to.length === 0) return { how: 'sent', said: `${this.#server} took it for all recipients` };
    let password: string | null;
    try {
      password = this.#o.password?.() ?? null;
    } catch (error) {
      return { how: 'failed', said: sentenceOf(error), todo: 'write that secret', fault: 'person' };
    }
    try {
      const message = await this.#composed(letter);
      return this.#told(await this.#handOver({ to, message, password, signal }), reached);
    } catch (error) {
      return this.#failed(error as NodemailerError);
    }
  }

  #composed(letter: Letter): Promise<Buffer> {
    const { from, to } = this.#o;
    const worst = gravest(letter.items.map(({ severity }) => severity));
    const [, domain = 'localhost'] = from.split('@');
    const mail = new MailComposer({
      from: { name: `Estepe ${letter.sender.pair}`, address: from },
      to: [...to],
      subject: subjectOf(letter),
      text: textOf(letter),
      messageId: `<${letter.id}@${domain}>`,
      date: new Date(Math.max(...letter.items.map(({ at }) => at))),
      // RFC 3834: no holiday replies.
      headers: { 'Auto-Submitted': 'auto-generated' },
      ...(worst === 'alert' ? { priority: 'high' as const } : {}),
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    return mail.compile().build();
  }

  /** Greeting to acknowledgement. With the signal the connection is destroyed: none is left behind that might still send. */
  async #handOver(ask: { to: string[]; message: Buffer; password: string | null; signal: AbortSignal }) {
    const { host, port, security, user, from, timeoutMs, ca } = this.#o;
    const connection = new SMTPConnection({
      ...{
        host,
        port,
        secure: security === 'tls',
        requireTLS: security === 'starttls',
        ignoreTLS: security === 'none',
      },
      ...{ connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs, dnsTimeout: timeoutMs },
      ...{ logger: false, tls: ca === undefined ? {} : { ca } },
    });
    const end = (): void => {
      const socket = connection._socket;
      connection.close();
      if (socket) socket.destroy();
    };
    try {
      return await new Promise<SMTPConnectionSendInfo>((resolve, reject) => {
        ask.signal.addEventListener('abort', () => reject(new Error('it was not waited for any longer')), {
          once: true,
        });
        if (ask.signal.aborted) reject(new Error('it was not waited for any longer'));
        // What comes between two commands, and after all of them: a connection that is lost.
        connection.on('error', reject);
        connection.once('end', () => reject(new Error('the connection was closed')));
        const send = (): void =>
          connection.send({ from, to: ask.to, size: ask.message.length }, ask.message, (error, info) =>
            error ? reject(error) : resolve(info),
          );
        connection.connect((error) => {
          if (error) reject(error);
          else if (user === null || ask.password === null) send();
          else connection.login({ user, pass: ask.password }, (refused) => (refused ? reject(refused) : send()));
        });
      });
    } finally {
      end();
    }
  }

  #told(
    { accepted, rejected, rejectedErrors = [], response }: SMTPConnectionSendInfo,
    before: readonly string[],
  ): SendEnd {
    if (rejected.length === 0) return { how: 'sent', said: `${this.#server} took it: ${oneLine(response)}` };
    const why = rejectedErrors.map((error) => `${error.recipient ?? ''}: ${oneLine(error.response ?? error.message)}`);
    return {
      how: 'failed',
      said: `${this.#server} took it for ${accepted.join(', ')}, and refused ${why.join('; ')}`,
      todo: 'check the recipients in `notify.email.to`',
      fault: rejectedErrors.some(isPermanent) ? 'person' : 'passing',
      reached: [...before, ...accepted],
    };
  }

  #failed(error: NodemailerError): SendEnd {
    const { code = '', command = '' } = error;
    const refused = error.rejectedErrors ?? [];
    const words =
      refused.length > 0
        ? refused.map((one) => `${one.recipient ?? ''}: ${oneLine(one.response ?? one.message)}`).join('; ')
        : oneLine(error.response ?? error.message);
    const said = `${this.#server}${error.response !== undefined || refused.length > 0 ? ' answered ' : ': '}${words}`;
    const failed = { how: 'failed', said } as const;
    if (code === 'EAUTH' && error.permanent !== false)
      return { ...failed, todo: 'check `notify.email.user` and the secret that `password` names', fault: 'person' };
    if (code === 'ETLS' || isCertificate(error))
      return { ...failed, todo: 'check `notify.email.security`, and the certificate of that server', fault: 'person' };
    if (code === 'EENVELOPE' && command === 'MAIL FROM' && isPermanent(error))
      return {
        ...failed,
        todo: 'check `notify.email.from`: the server lets this user send as others',
        fault: 'person',
      };
    if (refused.some(isPermanent) || (code === 'EENVELOPE' && isPermanent(error)))
      return { ...failed, todo: 'check the recipients in `notify.email.to`', fault: 'person' };
    if (isPermanent(error)) return { ...failed, todo: 'ask whoever runs that mail server', fault: 'person' };
    return { ...failed, todo: 'look whether that mail server can be reached from here', fault: 'passing' };
  }
}

const isPermanent = ({ permanent }: NodemailerError): boolean => permanent === true;

const isCertificate = (error: NodemailerError): boolean =>
  /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS|ERR_SSL|EPROTO\b/.test(`${error.code ?? ''} ${error.originalCode ?? ''}`);

const oneLine = (text: string): string =>
  text
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, 300);
