package recipient

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// words is a language.
type words struct {
	Lang, Other, OtherName string

	Title                                                                         string
	StepPreparing, StepComing, StepHere, StepDone                                 string
	HeadPreparing, HeadComing, HeadHere, HeadOpening, HeadDelivered               string
	HeadReturning, HeadReturned, HeadCancelled                                    string
	SubPreparing, SubRequested, SubComing, SubHere, SubOpening, SubDelivered      string
	SubReturning, SubReturned, SubCancelled, SubDisposed, SubRelieved             string
	Arrives, RangeMeans, LateText, SilentText, WaitsUntil, WaitLeft               string
	Open, OpenAgain, Done, PIN, PINHint, Robot                                    string
	WhenItComes                                                                   string
	Todo                                                                          []string
	CannotCome, CannotComeWhy, CannotComeReturn, CannotComeDispose, CannotComeYes string
	GoingBack                                                                     string
	Help, Phone                                                                   string
	HelpItems                                                                     [][2]string
	Map, ShowMap, MapFailed, MapRobot, MapPickup, MapDropoff                      string
	Stale, Offline, Updated, Again                                                string
	ExpiredHead, ExpiredText, UnknownHead, UnknownText, AwayHead, AwayText        string
	Refresh, NoScript, Progress                                                   string
	Errors                                                                        map[string]string // by the reason of a problem; "" is any other
	Private                                                                       string
	clockForm                                                                     string
	from, inRange, inAbout                                                        string
}

var english = &words{
	Lang: "en", Other: "es", OtherName: "Español", Title: "Your delivery",
	StepPreparing: "Preparing", StepComing: "On its way", StepHere: "At your door", StepDone: "Delivered",
	HeadPreparing: "Your order is being prepared", HeadComing: "Your order is on its way", HeadHere: "The robot is here", HeadOpening: "The lid is open",
	HeadDelivered: "Delivered", HeadReturning: "Your order is going back", HeadReturned: "Your order is back at the store", HeadCancelled: "This delivery was cancelled",
	SubPreparing: "The robot leaves as soon as the store has loaded it.", SubRequested: "We are choosing a robot for it.", SubComing: "A robot is bringing it along the sidewalk.",
	SubHere: "Go outside and look for the robot. It opens only for you.", SubOpening: "Take out everything, then close the lid.", SubDelivered: "You took it out at %s. Enjoy!",
	SubReturning: "Nobody could take it, so the robot is bringing it back to the store.", SubReturned: "The store has it. Ask there what happens with your order.",
	SubCancelled: "It will not come. Ask the store where you ordered what happens with your order.", SubDisposed: "Nobody took it, and the store asked us not to bring it back.",
	SubRelieved: "Another robot has taken over, because the first one could not go on.",
	Arrives:     "Arrives", RangeMeans: "Nine in ten deliveries like this one arrive by the later time.",
	LateText: "Later than we first said (%s). We are sorry.", SilentText: "We have not heard from the robot for %d min. It usually drives on; the map shows where it was.",
	WaitsUntil: "It waits until", WaitLeft: "left",
	Open: "Open the robot", OpenAgain: "Open again", Done: "I have everything, lid closed", PIN: "Your PIN", PINHint: "Works on the robot’s keypad, too. Give it only to someone who picks up for you.", Robot: "Robot",
	WhenItComes: "When it comes",
	Todo: []string{
		"It stops at the sidewalk by your address. It cannot come upstairs or ring.",
		"Press “Open the robot” here, or type your PIN on its keypad.",
		"Take out everything and close the lid. The robot drives off by itself.",
	},
	CannotCome: "I cannot come", CannotComeWhy: "If nobody can go outside:", CannotComeReturn: "The robot takes your order back to the store. This cannot be undone, and the store decides about a refund.",
	CannotComeDispose: "Your order is thrown away: the store does not take it back. This cannot be undone.", CannotComeYes: "Send it back", GoingBack: "You said that you cannot come. We are turning the robot round.",
	Help: "Help", Phone: "Call us",
	HelpItems: [][2]string{
		{"The lid does not open", "Wait ten seconds and press the button again. It opens only while the robot stands still. If it stays shut, we see it too, and send help."},
		{"I do not see the robot", "The map shows where it stands, to a few metres. Its number is above."},
		{"Something is missing or wrong", "Ask the store where you ordered. The robot is loaded there, and nobody opens it on the way."},
		{"Somebody else picks it up", "Send them this page’s address or the PIN. Whoever has one of them can open the robot."},
	},
	Map: "Map", ShowMap: "Show the map", MapFailed: "The map cannot be shown here.", MapRobot: "Robot", MapPickup: "Store", MapDropoff: "Your address",
	Stale: "The connection is gone. This is how it was at %s. Trying again…", Offline: "You are offline. This is how it was at %s.", Updated: "As of", Again: "Try again",
	ExpiredHead: "This link has expired", ExpiredText: "Links to deliveries hold for two days. Ask the store where you ordered if you have a question.",
	UnknownHead: "This link does not work", UnknownText: "Perhaps it was cut off when it was copied. Open it again from the message in which you got it.",
	AwayHead: "We cannot see your delivery just now", AwayText: "It goes on nevertheless. This page tries again by itself.",
	Refresh: "Refresh", NoScript: "This page renews itself every 15 seconds.", Progress: "Progress",
	Errors: map[string]string{
		"":          "That did not work just now. Please try again.",
		"pin_wrong": "The PIN was not accepted.", "pin_locked": "There were too many wrong PINs. Wait two minutes and try again.",
		"moving": "The robot is still driving. It opens when it has stopped.", "not_ready": "The robot is just stopping. Try again in a moment.",
		"not_its_turn": "The robot is not at your door yet.", "no_carrier": "There is no robot at your door.", "ended": "This delivery has already ended.",
		"hatch_open": "The lid is still open. Close it first.", "never_opened": "The lid was not open yet.", "not_under_way": "It is too late or too early for that.",
	},
	Private:   "Whoever has this page’s address can open the robot. Keep it to yourself.",
	clockForm: "3:04 PM", from: "%s – %s", inRange: "in %d–%d min", inAbout: "in about %d min",
}

var spanish = &words{
	Lang: "es", Other: "en", OtherName: "English", Title: "Su entrega",
	StepPreparing: "En preparación", StepComing: "En camino", StepHere: "En su puerta", StepDone: "Entregado",
	HeadPreparing: "Estamos preparando su pedido", HeadComing: "Su pedido está en camino", HeadHere: "El robot ha llegado", HeadOpening: "La tapa está abierta",
	HeadDelivered: "Entregado", HeadReturning: "Su pedido vuelve a la tienda", HeadReturned: "Su pedido está de vuelta en la tienda", HeadCancelled: "Esta entrega se canceló",
	SubPreparing: "El robot sale en cuanto la tienda lo haya cargado.", SubRequested: "Estamos eligiendo un robot.", SubComing: "Un robot se lo trae por la acera.",
	SubHere: "Salga y busque el robot. Solo se abre para usted.", SubOpening: "Saque todo y cierre la tapa.", SubDelivered: "Lo recogió a las %s. ¡Que aproveche!",
	SubReturning: "Nadie pudo recogerlo, así que el robot lo lleva de vuelta a la tienda.", SubReturned: "Lo tiene la tienda. Pregunte allí qué pasa con su pedido.",
	SubCancelled: "No va a llegar. Pregunte en la tienda donde lo pidió qué pasa con su pedido.", SubDisposed: "Nadie lo recogió, y la tienda pidió que no se lo devolviéramos.",
	SubRelieved: "Otro robot ha tomado el relevo, porque el primero no podía seguir.",
	Arrives:     "Llega", RangeMeans: "Nueve de cada diez entregas como esta llegan antes de la segunda hora.",
	LateText: "Más tarde de lo que dijimos al principio (%s). Lo sentimos.", SilentText: "No sabemos nada del robot desde hace %d min. Casi siempre sigue adelante; el mapa muestra dónde estaba.",
	WaitsUntil: "Espera hasta las", WaitLeft: "restantes",
	Open: "Abrir el robot", OpenAgain: "Abrir otra vez", Done: "Lo tengo todo, tapa cerrada", PIN: "Su PIN", PINHint: "También sirve en el teclado del robot. Déselo solo a quien recoja por usted.", Robot: "Robot",
	WhenItComes: "Cuando llegue",
	Todo: []string{
		"Se detiene en la acera junto a su dirección. No puede subir escaleras ni llamar al timbre.",
		"Pulse «Abrir el robot» aquí, o escriba su PIN en el teclado.",
		"Saque todo y cierre la tapa. El robot se marcha solo.",
	},
	CannotCome: "No puedo salir", CannotComeWhy: "Si nadie puede salir:", CannotComeReturn: "El robot devuelve su pedido a la tienda. No se puede deshacer, y la tienda decide sobre el reembolso.",
	CannotComeDispose: "Su pedido se desecha: la tienda no lo acepta de vuelta. No se puede deshacer.", CannotComeYes: "Devolverlo", GoingBack: "Ha dicho que no puede salir. El robot va a dar la vuelta.",
	Help: "Ayuda", Phone: "Llámenos",
	HelpItems: [][2]string{
		{"La tapa no se abre", "Espere diez segundos y pulse el botón otra vez. Solo se abre con el robot parado. Si sigue cerrada, nosotros también lo vemos y enviamos ayuda."},
		{"No veo el robot", "El mapa muestra dónde está, con pocos metros de error. Su número está arriba."},
		{"Falta algo o está mal", "Pregunte en la tienda donde lo pidió. El robot se carga allí, y nadie lo abre por el camino."},
		{"Lo recoge otra persona", "Envíele la dirección de esta página o el PIN. Quien tenga uno de los dos puede abrir el robot."},
	},
	Map: "Mapa", ShowMap: "Mostrar el mapa", MapFailed: "Aquí no se puede mostrar el mapa.", MapRobot: "Robot", MapPickup: "Tienda", MapDropoff: "Su dirección",
	Stale: "Se ha perdido la conexión. Así estaba a las %s. Intentándolo otra vez…", Offline: "No tiene conexión. Así estaba a las %s.", Updated: "A las", Again: "Intentar otra vez",
	ExpiredHead: "Este enlace ha caducado", ExpiredText: "Los enlaces de entregas valen dos días. Si tiene una pregunta, diríjase a la tienda donde pidió.",
	UnknownHead: "Este enlace no funciona", UnknownText: "Quizá se cortó al copiarlo. Ábralo otra vez desde el mensaje en que lo recibió.",
	AwayHead: "Ahora mismo no podemos ver su entrega", AwayText: "Sigue adelante de todos modos. Esta página lo intenta otra vez sola.",
	Refresh: "Actualizar", NoScript: "Esta página se renueva cada 15 segundos.", Progress: "Progreso",
	Errors: map[string]string{
		"":          "No ha funcionado. Inténtelo otra vez.",
		"pin_wrong": "El PIN no se ha aceptado.", "pin_locked": "Hubo demasiados PIN erróneos. Espere dos minutos e inténtelo otra vez.",
		"moving": "El robot todavía está en marcha. Se abre cuando se ha parado.", "not_ready": "El robot se está parando. Inténtelo enseguida.",
		"not_its_turn": "El robot aún no está en su puerta.", "no_carrier": "No hay ningún robot en su puerta.", "ended": "Esta entrega ya ha terminado.",
		"hatch_open": "La tapa sigue abierta. Ciérrela primero.", "never_opened": "La tapa aún no se ha abierto.", "not_under_way": "Es demasiado tarde o demasiado pronto para eso.",
	},
	Private:   "Quien tenga la dirección de esta página puede abrir el robot. No la comparta.",
	clockForm: "15:04", from: "%s – %s", inRange: "en %d–%d min", inAbout: "en unos %d min",
}

// languageOf returns the language that a reader chose, or prefers most of those that there are.
func languageOf(r *http.Request) *words {
	if w := called(r.URL.Query().Get("lang")); w != nil {
		return w
	}
	best, most := english, -1.0
	for one := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		name, q, weighed := strings.Cut(strings.TrimSpace(one), ";")
		weight := 1.0
		if weighed {
			value, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(q), "q="), 64)
			if err != nil {
				continue
			}
			weight = value
		}
		name, _, _ = strings.Cut(name, "-")
		if w := called(strings.ToLower(name)); w != nil && weight > most && weight > 0 {
			best, most = w, weight
		}
	}
	return best
}

func called(name string) *words {
	switch name {
	case english.Lang:
		return english
	case spanish.Lang:
		return spanish
	}
	return nil
}

func (w *words) clock(t time.Time) string {
	return strings.ReplaceAll(t.Format(w.clockForm), " ", "\u00a0")
}

func (w *words) between(from, to time.Time) string {
	a, b := w.clock(from), w.clock(to)
	if a == b {
		return a
	}
	if half := "\u00a0" + from.Format("PM"); w == english && strings.HasSuffix(a, half) && strings.HasSuffix(b, half) {
		a = strings.TrimSuffix(a, half) // 12:40 – 12:48 PM
	}
	return fmt.Sprintf(w.from, a, b)
}

func (w *words) inMinutes(from, to int) string {
	if from >= to {
		return fmt.Sprintf(w.inAbout, to)
	}
	return fmt.Sprintf(w.inRange, from, to)
}

// said returns what to tell who pressed a button.
func (w *words) said(err error) string {
	if err == nil {
		return ""
	}
	no, ok := errors.AsType[*refused](err)
	if ok && w.Errors[no.Reason] != "" {
		return w.Errors[no.Reason]
	}
	return w.Errors[""]
}

// stopwatch writes a time that is left, such as 9:05.
func stopwatch(d time.Duration) string {
	s := max(0, int(d/time.Second))
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}
