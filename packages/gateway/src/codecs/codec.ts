import type { ChatFormat } from "../ports/format.ts";
import type { Answer, StreamReader, StreamWriter } from "./answer.ts";
import { chatReader, readChatAnswer } from "./chat-answer-read.ts";
import { type Client, chatWriter, writeChatAnswer } from "./chat-answer-write.ts";
import { readChatRequest } from "./chat-request-read.ts";
import { writeChatRequest } from "./chat-request-write.ts";
import { messagesReader, readMessagesAnswer } from "./messages-answer-read.ts";
import { messagesWriter, writeMessagesAnswer } from "./messages-answer-write.ts";
import { readMessagesRequest } from "./messages-request-read.ts";
import { writeMessagesRequest } from "./messages-request-write.ts";
import type { AnswerEvent, Prompt } from "./prompt.ts";
import type { Fields } from "./refuse.ts";
import { readResponsesAnswer, responsesReader } from "./responses-answer-read.ts";
import { responsesWriter, writeResponsesAnswer } from "./responses-answer-write.ts";
import { readResponsesRequest } from "./responses-request-read.ts";
import { writeResponsesRequest } from "./responses-request-write.ts";
import type { WriteRequest } from "./target.ts";

/** One format, in both directions: as a client speaks it, and as a provider does. */
export type Codec = {
  /** @throws AppError `request_unsupported`, `bad_request` */
  readRequest(body: Fields): Prompt;
  readonly writeRequest: WriteRequest;
  readAnswer(body: unknown): readonly AnswerEvent[];
  writeAnswer(answer: Answer, client: Client): object;
  reader(): StreamReader;
  writer(client: Client): StreamWriter;
};

/** The codecs by format. */
export const CODECS: Readonly<Record<ChatFormat, Codec>> = {
  chat: {
    readRequest: readChatRequest,
    writeRequest: writeChatRequest,
    readAnswer: readChatAnswer,
    writeAnswer: writeChatAnswer,
    reader: chatReader,
    writer: chatWriter,
  },
  messages: {
    readRequest: readMessagesRequest,
    writeRequest: writeMessagesRequest,
    readAnswer: readMessagesAnswer,
    writeAnswer: writeMessagesAnswer,
    reader: messagesReader,
    writer: messagesWriter,
  },
  responses: {
    readRequest: readResponsesRequest,
    writeRequest: writeResponsesRequest,
    readAnswer: readResponsesAnswer,
    writeAnswer: writeResponsesAnswer,
    reader: responsesReader,
    writer: responsesWriter,
  },
};
