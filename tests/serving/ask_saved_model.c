/* Asks a SavedModel through TensorFlow's C API: text in, text out, and no Python anywhere.
 *
 *   ask_saved_model VERSION INPUT:0 OUTPUT:0 < texts
 *
 * Reads a text a line and prints the output's first string of each, a line a text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensorflow/c/c_api.h"

enum { MAX_TEXTS = 1024, MAX_LENGTH = 65536 };

static TF_Status* status;

static void check(const char* what) {
  if (TF_GetCode(status) == TF_OK) return;
  fprintf(stderr, "%s: %s\n", what, TF_Message(status));
  exit(1);
}

/* "translate_text:0" -> the output of that number of that operation */
static TF_Output output_named(TF_Graph* graph, char* name) {
  char* colon = strrchr(name, ':');
  *colon = '\0';
  TF_Output output = {TF_GraphOperationByName(graph, name), atoi(colon + 1)};
  if (output.oper == NULL) {
    fprintf(stderr, "no operation %s\n", name);
    exit(1);
  }
  return output;
}

static TF_Tensor* read_texts(void) {
  static char line[MAX_LENGTH];
  static TF_TString texts[MAX_TEXTS];
  int64_t count = 0;
  while (count < MAX_TEXTS && fgets(line, sizeof line, stdin) != NULL) {
    TF_StringInit(&texts[count]);
    TF_StringCopy(&texts[count++], line, strcspn(line, "\n"));
  }
  TF_Tensor* tensor = TF_AllocateTensor(TF_STRING, &count, 1, count * sizeof *texts);
  memcpy(TF_TensorData(tensor), texts, count * sizeof *texts);
  return tensor;
}

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  fprintf(stderr, "TensorFlow %s\n", TF_Version());
  status = TF_NewStatus();
  TF_Graph* graph = TF_NewGraph();
  const char* tags[] = {"serve"};
  TF_SessionOptions* options = TF_NewSessionOptions();
  TF_Session* session =
      TF_LoadSessionFromSavedModel(options, NULL, argv[1], tags, 1, graph, NULL, status);
  check("loading");
  TF_Output input = output_named(graph, argv[2]), output = output_named(graph, argv[3]);
  TF_Tensor *texts = read_texts(), *answer = NULL;
  TF_SessionRun(session, NULL, &input, &texts, 1, &output, &answer, 1, NULL, 0, NULL, status);
  check("running");
  const TF_TString* answers = TF_TensorData(answer);
  for (int64_t i = 0; i < TF_Dim(answer, 0); i++)
    printf("%.*s\n", (int)TF_StringGetSize(&answers[i]), TF_StringGetDataPointer(&answers[i]));
  return 0;
}
