// The bodies in JSON that the fake Graph takes, made of the types that Microsoft publishes.
import type {
  AttachmentItem,
  FileAttachment,
  Message,
} from "@microsoft/microsoft-graph-types";

// A message's attachments are published as the base type, which has no octets; what is sent are its subtypes.
type Written = Omit<Message, "attachments"> & { attachments?: FileAttachment[] | null };

export interface Requests {
  sendMail: { message: Written; saveToSentItems?: boolean | null };
  draft: Written;
  patch: Written;
  attach: FileAttachment;
  session: { AttachmentItem: AttachmentItem };
}
